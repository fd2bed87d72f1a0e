export { ImageRequest } from "./io/image-request.ts";
