// Chi-square: whether counts look like draws from equally likely cells.

/** z with P(Z > z) = 0.001 for a standard normal Z. */
const z999 = 3.090_232;

/** What a sum of squares with so many degrees of freedom exceeds with p = 0.001 (Wilson-Hilferty). */
export function criticalValue(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + z999 * Math.sqrt(spread)) ** 3;
}

/**
 * Pearson's statistic for equally likely cells. `perDraw` is how many different cells one draw
 * takes: such counts vary less than independent ones, and the statistic is scaled accordingly.
 */
export function chiSquare(counts: readonly number[], perDraw = 1): number {
  const cells = counts.length;
  const expected = counts.reduce((sum, count) => sum + count, 0) / cells;
  const squares = counts.reduce((sum, count) => sum + (count - expected) ** 2, 0);
  return ((squares / expected) * (cells - 1)) / (cells - perDraw);
}
