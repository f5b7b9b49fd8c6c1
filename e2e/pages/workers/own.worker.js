// A worker of the page's own: tells what its surroundings are as it starts, then sends
// back what it gets.
self.importScripts('./second.js');
postMessage([self.second, self.name, self.location.href, new Request('./second.js').url]);
onmessage = ({ data }) => postMessage(data);
