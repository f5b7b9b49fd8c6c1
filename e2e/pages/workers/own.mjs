// The same as a module.
import { second } from './second.mjs';
postMessage([second, self.name, self.location.href, new Request('./second.js').url, import.meta.url]);
onmessage = ({ data }) => postMessage(data);
