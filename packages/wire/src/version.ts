/** The version of siphon; every package has the same. */
export const version = "0.1.0";
