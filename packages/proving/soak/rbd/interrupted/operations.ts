import type { Operation } from "./operation.ts";
import { copy } from "./operations/copy.ts";
import { deepCopy } from "./operations/deep-copy.ts";
import { flatten } from "./operations/flatten.ts";
import { importDiffOperation } from "./operations/import-diff.ts";
import { rm } from "./operations/rm.ts";
import { trashPurge } from "./operations/trash-purge.ts";

export const operations = {
  ...{ rm, flatten, copy, "deep-copy": deepCopy },
  ...{ "import-diff": importDiffOperation, "trash-purge": trashPurge },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
