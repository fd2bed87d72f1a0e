/** Linux errnos, negative as results are. */
export const errno = {
  notPermitted: -1,
  noEntry: -2,
  invalid: -22,
  readOnly: -30,
  mismatch: -84,
  /** What an OSD says to a client on the blocklist. */
  shutdown: -108,
  busy: -16,
} as const;
