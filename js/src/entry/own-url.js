// The URL of the script that runs, where no element has it.

/** Returns the first URL in a stack of this file, which the build makes a part of the script. */
export const ownUrl = () => /https?:\/\/.*?(?=:\d+:\d+\b)/.exec(new Error().stack ?? '')?.[0] ?? null;
