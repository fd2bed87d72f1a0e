import { z } from "zod";
import { type KeyType, keyTypes } from "../ceph/key-type.ts";
import { LabError } from "../errors.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Fields of a cluster's specification, most of them shared with inventories. */
export const clusterFields = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/, "letters, digits, dots, dashes and underscores, at most 31")
    .default("default"),
  mons: z.int().min(1).max(5).default(1),
  osds: z.int().min(1).max(64).default(3),
  /** Copies of each object; the number of OSDs at most. */
  replicas: z.int().min(1).max(10).optional(),
  store: z.enum(["bluestore", "memstore"]).default("bluestore"),
  auth: z.enum(["none", "cephx"]).default("none"),
  /** Type of all keys; by default the one that the cluster's release makes. */
  keyType: z.enum(Object.keys(keyTypes) as [KeyType, ...KeyType[]]).optional(),
  /** Messenger versions that the daemons speak. */
  msgr: z.enum(["v1", "v2", "both"]).default("v2"),
  /** Protection of frames by msgr v2: checksums, AES-GCM, or ("any") the one that each client prefers. */
  wire: z.enum(["crc", "secure", "any"]).default("crc"),
  /** Bytes of memory an OSD may use; Ceph takes no less than 896 MiB. */
  osdMemoryTarget: z
    .int()
    .min(896 * MIB)
    .default(GIB),
  /** Bytes an OSD can store; its file grows as it is written. 10 GiB, or less where there is less room. */
  osdSize: z.int().min(GIB).optional(),
  /** The pool for images, and its user (without `client.`). */
  pool: z
    .string()
    .regex(/^[^/@\s]+$/)
    .default("libvirt-pool"),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/)
    .default("libvirt"),
  pgs: z.int().min(1).max(4096).default(32),
  /** Load the manager's modules (balancer, autoscaler and so on), which siphon does not need. */
  mgrModules: z.boolean().default(false),
  /** librbd's cache in the cluster's configuration; QEMU overrides it (see `cache=none`). */
  rbdCache: z.boolean().default(false),
  /** Further options for the [global] section; they override siphon's. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

/** A caller's specification of a local cluster: every field has a default. */
export type ClusterSpecInput = z.input<typeof clusterFields>;
/** The checked specification, with all defaults that do not depend on the machine. */
export type RequestedCluster = z.output<typeof clusterSpec>;
/** The specification of a local cluster. */
export type ClusterSpec = RequestedCluster & { osdSize: number };

/** Fills in the defaults; `replicas` is 3, or the number of OSDs if that is lower. */
const clusterSpec = clusterFields
  .transform((spec) => ({ ...spec, replicas: spec.replicas ?? Math.min(3, spec.osds) }))
  .superRefine((spec, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    if (spec.replicas > spec.osds) {
      issue(`${spec.replicas} replicas need as many OSDs, and there are ${spec.osds}`);
    }
    const encrypted = spec.wire === "secure" ? "secure mode" : 'wire "any", which offers secure mode,';
    if (spec.wire !== "crc" && spec.auth !== "cephx")
      issue(`${encrypted} needs the session keys of auth cephx`);
    if (spec.wire !== "crc" && spec.msgr === "v1") issue(`${encrypted} needs msgr v2`);
    if (spec.wire === "secure" && spec.msgr === "both") {
      issue("secure mode needs msgr v2 alone: over v1 clients would do without");
    }
  });

/** Checks what a caller asks for; throws SIPHON_USAGE with one sentence. */
export function parseClusterSpec(input: ClusterSpecInput): RequestedCluster {
  const parsed = clusterSpec.safeParse(input);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter(Boolean).join(": "),
  );
  throw new LabError("SIPHON_USAGE", `no such cluster can be made: ${why.join("; ")}`);
}
