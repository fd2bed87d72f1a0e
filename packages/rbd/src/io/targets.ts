import { ObjectTarget } from "@siphon/rados/engine";
import { dataObject } from "../object-names.ts";

/** Entries of each of the two generations: the objects of 128 GiB at 4 MiB each. */
const generationSize = 32_768;

/** A cache of the targets of an image's objects by number, with their placement. */
export class Targets {
  readonly #poolId: number;
  readonly #namespace: string;
  readonly #prefix: string;
  #young = new Map<number, ObjectTarget>();
  #old = new Map<number, ObjectTarget>();

  constructor(poolId: number, namespace: string, objectPrefix: string) {
    this.#poolId = poolId;
    this.#namespace = namespace;
    this.#prefix = objectPrefix;
  }

  get(objectNumber: number): ObjectTarget {
    return this.#young.get(objectNumber) ?? this.#find(objectNumber);
  }

  #find(objectNumber: number): ObjectTarget {
    const target = this.#old.get(objectNumber) ?? this.#make(objectNumber);
    if (this.#young.size >= generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(objectNumber, target);
    return target;
  }

  #make(objectNumber: number): ObjectTarget {
    return new ObjectTarget(this.#poolId, dataObject(this.#prefix, objectNumber), {
      namespace: this.#namespace,
    });
  }
}
