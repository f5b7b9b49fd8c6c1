ws <- watch(WebSocket$new("ws://no-such-name.invalid/"))
until(ended(ws))
