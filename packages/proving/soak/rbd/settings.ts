import { patientClients } from "../../support/rados/live-modes.ts";

/** Settings of clusters with one copy whose OSDs are stopped for a while: their PGs then continue. */
export const settings = { osd_pool_default_read_lease_ratio: 20, ...patientClients };
