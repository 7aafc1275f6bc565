//! A place in one line of IR text, and the smallest things that can stand there.

use super::ParseError;

/// The rest of a line.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of a line.
    pub(super) fn new(text: &'a str, line: usize) -> Cursor<'a> {
        let mut cursor = Cursor { rest: text, line };
        cursor.skip_space();
        cursor
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// An error at this line.
    pub(super) fn error(&self, wanted: &str) -> ParseError {
        ParseError { line: self.line, message: format!("expected {wanted} at `{}`", self.rest) }
    }

    /// Whether nothing is left but a comment.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(';')
    }

    /// Steps over the text if it stands here; a text that ends in a letter must end a word.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if text.ends_with(is_word) && rest.starts_with(is_word) {
            return false;
        }
        self.rest = rest;
        self.skip_space();
        true
    }

    /// Steps over the text, which must stand here.
    pub(super) fn expect(&mut self, text: &str) -> Result<(), ParseError> {
        if self.eat(text) { Ok(()) } else { Err(self.error(&format!("`{text}`"))) }
    }

    /// What stands here up to the first character that is not accepted.
    pub(super) fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !accept(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_space();
        taken
    }

    /// A name: letters, digits, underscores and dots.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(|char| char.is_ascii_alphanumeric() || char == '_' || char == '.')
    }

    /// Whether an entity with this prefix stands here.
    pub(super) fn is_at_entity(&self, prefix: &str) -> bool {
        self.rest
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
    }

    /// The number of an entity with this prefix.
    pub(super) fn entity(&mut self, prefix: &str) -> Result<usize, ParseError> {
        if !self.is_at_entity(prefix) {
            return Err(self.error(&format!("`{prefix}` and a number")));
        }
        self.rest = &self.rest[prefix.len()..];
        self.number()
    }

    /// Digits, with a sign where the number's type has one.
    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, ParseError> {
        let error = self.error("a number");
        self.take_while(|char| char.is_ascii_digit() || char == '-').parse().map_err(|_| error)
    }

    /// The bits of a float.
    pub(super) fn float(&mut self) -> Result<u64, ParseError> {
        let error = self.error("a float");
        if self.eat("nan(0x") {
            let bits = u64::from_str_radix(self.take_while(|char| char.is_ascii_hexdigit()), 16)
                .map_err(|_| error)?;
            self.expect(")")?;
            return Ok(bits);
        }
        let text = self.take_while(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        text.parse::<f64>().map(f64::to_bits).map_err(|_| error)
    }

    /// Whether a literal number here is a float rather than an int.
    pub(super) fn is_at_float(&self) -> bool {
        let end = self.rest.find([',', ')', ' ']).unwrap_or(self.rest.len());
        self.rest[..end].contains(['.', 'e', 'i', 'n'])
    }

    /// Whether a literal number stands here.
    pub(super) fn is_at_number(&self) -> bool {
        let rest = self.rest.strip_prefix('-').unwrap_or(self.rest);
        rest.starts_with(|char: char| char.is_ascii_digit())
            || rest.starts_with("inf")
            || rest.starts_with("nan(")
    }

    /// A string literal in Rust's escapes.
    pub(super) fn string(&mut self) -> Result<String, ParseError> {
        let raw = self.quoted()?;
        let mut text = String::new();
        let mut chars = raw.chars();
        while let Some(char) = chars.next() {
            if char != '\\' {
                text.push(char);
                continue;
            }
            match chars.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('0') => text.push('\0'),
                Some('u') => {
                    let digits: String = chars.by_ref().skip(1).take_while(|&char| char != '}').collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    text.push(code.ok_or_else(|| self.error("a character's number"))?);
                }
                Some(other) => text.push(other),
                None => return Err(self.error("a character behind the backslash")),
            }
        }
        Ok(text)
    }

    /// Whether a bytes literal stands here.
    pub(super) fn is_at_bytes(&self) -> bool {
        self.rest.starts_with("b\"")
    }

    /// A bytes literal.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, ParseError> {
        self.rest = self.rest.strip_prefix('b').unwrap_or(self.rest);
        let raw = self.quoted()?;
        let mut bytes = Vec::new();
        let mut rest = raw.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            match rest.next() {
                Some(b'n') => bytes.push(b'\n'),
                Some(b'r') => bytes.push(b'\r'),
                Some(b't') => bytes.push(b'\t'),
                Some(b'x') => {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    bytes.push(
                        u8::from_str_radix(&digits, 16).map_err(|_| self.error("two hexadecimal digits"))?,
                    );
                }
                Some(other) => bytes.push(other),
                None => return Err(self.error("a character behind the backslash")),
            }
        }
        Ok(bytes)
    }

    /// What stands between two double quotes, escapes untouched.
    fn quoted(&mut self) -> Result<&'a str, ParseError> {
        let error = self.error("a literal in double quotes");
        let Some(inner) = self.rest.strip_prefix('"') else { return Err(error) };
        let mut is_escaped = false;
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    self.rest = &inner[at + 1..];
                    self.skip_space();
                    return Ok(&inner[..at]);
                }
                _ => {}
            }
        }
        Err(error)
    }

    /// Items with commas between them up to the closing text, which is stepped over; the comma behind the
    /// last item is accepted.
    pub(super) fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(item(self)?);
            if !self.eat(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }
}
