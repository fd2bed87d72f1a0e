import type { Place } from "../../model/place.ts";
import type { Tree } from "./key-values.ts";

/** An argument of one option, read, with its place. */
export interface Group {
  tree: Tree;
  place: Place;
}
