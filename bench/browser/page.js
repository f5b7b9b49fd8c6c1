// The page's half of the browser benchmark: the same transfers over one native WebSocket for each socket (plain relay) and
// over sockmux. Everything goes through the standard WebSocket surface, as an Emscripten program would use it.

const relay = new URL(location.href).searchParams.get("relay");

/** Opens one socket to a local port and resolves when it is open. */
function dial(kind, port) {
  return new Promise((resolve, reject) => {
    const socket =
      kind === "native"
        ? new window.NativeWebSocket(`ws://${relay}/relay/${port}`, "binary")
        : new WebSocket(`ws://127.0.0.1:${port}/`, "binary");
    socket.binaryType = "arraybuffer";
    socket.onopen = () => resolve(socket);
    socket.onclose = (event) => reject(new Error(`${kind}: closed with ${event.code} ${event.reason} before open`));
  });
}

function dialAll(kind, port, count) {
  return Promise.all(Array.from({ length: count }, () => dial(kind, port)));
}

function closeAll(sockets) {
  return Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          socket.onmessage = null;
          socket.onclose = resolve;
          socket.close();
        }),
    ),
  );
}

function count(bytes) {
  const message = new DataView(new ArrayBuffer(8));
  message.setBigUint64(0, BigInt(bytes));
  return message.buffer;
}

/** The upload keeps at most this much queued in a socket: what a program with its own flow control would do. */
const UPLOAD_QUEUE = 1 << 20;
const UPLOAD_MESSAGE = 64 << 10;

function download(socket, bytes) {
  return new Promise((resolve, reject) => {
    let left = bytes;
    socket.onmessage = (event) => {
      left -= event.data.byteLength;
      if (left === 0) resolve();
      else if (left < 0) reject(new Error(`${-left} bytes too many`));
    };
    socket.onclose = (event) => reject(new Error(`closed with ${event.code}, ${left} bytes missing`));
    socket.send(count(bytes));
  });
}

/** A task that runs soon, without the clamping of timers. */
function soon() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(0);
  });
}

async function upload(socket, bytes) {
  const done = new Promise((resolve, reject) => {
    socket.onmessage = resolve;
    socket.onclose = (event) => reject(new Error(`closed with ${event.code} during the upload`));
  });
  socket.send(count(bytes));
  const message = new Uint8Array(UPLOAD_MESSAGE).fill(7);
  for (let left = bytes; left > 0; ) {
    while (socket.bufferedAmount > UPLOAD_QUEUE) await soon();
    const size = Math.min(left, UPLOAD_MESSAGE);
    socket.send(size === UPLOAD_MESSAGE ? message : message.subarray(0, size));
    left -= size;
  }
  await done;
}

window.bench = {
  /** MB/s over `streams` sockets at once, `bytes` in all. */
  async transfer({ kind, direction, streams, port, bytes }) {
    const sockets = await dialAll(kind, port, streams);
    const each = Math.floor(bytes / streams);
    const start = performance.now();
    await Promise.all(sockets.map((socket) => (direction === "down" ? download(socket, each) : upload(socket, each))));
    const seconds = (performance.now() - start) / 1000;
    await closeAll(sockets);
    return (each * streams) / 1e6 / seconds;
  },

  /** Milliseconds until `streams` sockets opened at once are all open. */
  async open({ kind, streams, port }) {
    const start = performance.now();
    const sockets = await dialAll(kind, port, streams);
    const took = performance.now() - start;
    await closeAll(sockets);
    return took;
  },

  /** Milliseconds from the constructor to the first echoed byte. */
  async firstEcho({ kind, port }) {
    const start = performance.now();
    const socket = await dial(kind, port);
    const answered = new Promise((resolve) => (socket.onmessage = resolve));
    socket.send(new Uint8Array(64));
    await answered;
    const took = performance.now() - start;
    await closeAll([socket]);
    return took;
  },

  /** Round trips of 64 bytes in milliseconds, one after the other. */
  async echo({ kind, port, rounds }) {
    const socket = await dial(kind, port);
    const times = [];
    for (let i = 0; i < rounds; i++) {
      const answered = new Promise((resolve) => (socket.onmessage = resolve));
      const start = performance.now();
      socket.send(new Uint8Array(64));
      await answered;
      times.push(performance.now() - start);
    }
    await closeAll([socket]);
    return times;
  },
};
