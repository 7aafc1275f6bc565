async def coroutine(a):  # error[await]: a coroutine can't be compiled yet
    await a  # error[await]: a coroutine can't be compiled yet
    async for x in a:  # error[await]: a coroutine can't be compiled yet
        pass
    async with a:  # error[await]: a coroutine can't be compiled yet
        pass
