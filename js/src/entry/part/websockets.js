// The messages of WebSockets that are carried as such.

export { openMessages as default } from '../../facade/messages.js';
