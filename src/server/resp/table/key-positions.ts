// Key positions: where the keys stand among the words of a command, the name being word 0.

type Positions = readonly [first: number, last: number, step: number];

export const noKeys: Positions = [0, 0, 0];
export const oneKey: Positions = [1, 1, 1];
export const twoKeys: Positions = [1, 2, 1];
/** All words behind the name. */
export const allKeys: Positions = [1, -1, 1];
