/** The lock on an image's object map: whoever changes the map holds it, beside the lock on the header. */
export const mapLock = { name: "rbd_lock", type: "exclusive", cookie: "", tag: "" } as const;
