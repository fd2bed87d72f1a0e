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
  io: -5,
  noSpace: -28,
  timedOut: -110,
  quota: -122,
  canceled: -125,
  /** Within siphon: what is known of an image's parents is out of date. */
  stale: -116,
} as const;
