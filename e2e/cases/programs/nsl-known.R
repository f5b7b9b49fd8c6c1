say(nsl("127.1"), nsl("LOCALHOST"), nsl("2130706433"), nsl("10.0.0.7"))
