/** A time as rbd prints it, like ctime(3): `Tue Dec  1 00:29:13 2026`; also in columns whose spaces were made single. */
export const printedTimes = /[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}/g;
