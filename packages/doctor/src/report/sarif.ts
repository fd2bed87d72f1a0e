import type { Examination, FoundFinding } from "../examination.ts";
import { allFindings } from "../findings/all.ts";
import type { Severity } from "../findings/finding.ts";

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};

/**
 * Examinations as SARIF 2.1.0, for code scanning.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarif(examinations: readonly Examination[]): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "siphon doctor",
            rules: allFindings.map(({ id, title, why, severity, when, not, wrong }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: why },
              help: {
                text: `Applies when: ${when} Does not apply: ${not} When not to change it: ${wrong}`,
              },
              defaultConfiguration: { level: levels[severity] },
            })),
          },
        },
        results: examinations.flatMap(({ disks, vm }) => [
          ...disks.flatMap(({ disk, findings }) => findings.map((finding) => result(finding, disk))),
          ...vm.findings.map((finding) => result(finding)),
        ]),
      },
    ],
  };
}

function result({ id, severity, why, fix, place }: FoundFinding, disk?: string): object {
  return {
    ruleId: id,
    ruleIndex: allFindings.findIndex((finding) => finding.id === id),
    level: levels[severity],
    message: { text: `${disk === undefined ? "" : `${disk}: `}${why} Change: ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(place.file) },
          region: {
            startLine: Math.max(1, place.line),
            ...(place.column !== undefined && { startColumn: place.column }),
          },
        },
        ...(place.path !== undefined && { logicalLocations: [{ fullyQualifiedName: place.path }] }),
      },
    ],
    properties: { severity },
  };
}
