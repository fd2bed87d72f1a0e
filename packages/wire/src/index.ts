export { SiphonError, type SiphonErrorOptions } from "./errors.ts";
