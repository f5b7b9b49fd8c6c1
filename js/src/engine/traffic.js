// Figures of the carriers.

/** What the carriers have moved, messages of the link included. */
export class Traffic {
	bytesIn = 0;
	bytesOut = 0;
	messagesIn = 0;
	messagesOut = 0;
}
