// A worker of the page's own that fails as it starts.
postMessage('before');
throw new Error('broken');
