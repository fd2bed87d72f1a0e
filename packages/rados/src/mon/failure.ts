import { adviceOf } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { addrText } from "../messenger/peer.ts";
import type { Candidate } from "./candidates.ts";

/**
 * The error for a failed search for a monitor.
 *
 * @param timeout milliseconds that were tried
 * @param errors of the last attempt, one for each monitor; empty if none has answered
 */
export function unreachable(
  timeout: number,
  candidates: readonly Candidate[],
  errors: readonly RadosError[],
): RadosError {
  const tried = [...new Set(candidates.flatMap(({ addrs }) => addrs.map(addrText)))].join(", ");
  const reasons = [...new Set(errors.map((error) => error.message))].join("; ");
  const lasting = errors.find((error) => !error.retryable);
  return new RadosError(
    lasting?.code ?? "SIPHON_RADOS_UNREACHABLE",
    `no monitor could be reached within ${timeout / 1000} s (tried ${tried})${reasons && `: ${reasons}`}`,
    {
      retryable: true,
      hint: "check mon_host in ceph.conf and that the monitors are up",
      ...(lasting && adviceOf(lasting)),
      cause: errors[0],
    },
  );
}

export function otherCluster(found: string, wanted: string): RadosError {
  return new RadosError(
    "SIPHON_RADOS_CONFIG",
    `the monitors at mon_host belong to cluster ${found}, not to ${wanted}`,
    { hint: "correct fsid or mon_host in ceph.conf" },
  );
}

export function silent(mon: string, milliseconds: number): RadosError {
  const reason = `${mon} gave no sign of life for ${Math.round(milliseconds / 1000)} s`;
  return new RadosError("SIPHON_RADOS_TIMEOUT", reason, { retryable: true });
}

export function handleClosed(what?: string): RadosError {
  const prefix = what === undefined ? "" : `${what}: `;
  return new RadosError("SIPHON_RADOS_CLOSED", `${prefix}the cluster handle was closed`);
}
