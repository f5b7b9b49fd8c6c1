// The page's half of a tunnel in a worker.

export { startRemote as default } from '../../engine/remote.js';
