/** The longest delay of a timer of Node, in milliseconds: 24.8 days. A timer for longer would fire at once. */
export const longestTimer = 2 ** 31 - 1;
