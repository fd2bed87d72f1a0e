/** Names of the objects that RBD keeps in a pool (src/include/rbd_types.h, src/librbd/Utils.cc). */
export const directoryObject = "rbd_directory";
/** Clones of the first version, by parent. */
export const childrenObject = "rbd_children";
export const trashObject = "rbd_trash";
export const namespaceObject = "rbd_namespace";
/** Groups, by name and by id. */
export const groupDirectoryObject = "rbd_group_directory";
/** Exists in a pool that was initialized for RBD. */
export const infoObject = "rbd_info";

export const idObject = (imageName: string) => `rbd_id.${imageName}`;
export const headerObject = (imageId: string) =>
  isOldId(imageId) ? oldHeaderObject(oldName(imageId)) : `rbd_header.${imageId}`;
export const groupHeaderObject = (groupId: string) => `rbd_group_header.${groupId}`;
/** Header object of an image of format 1. */
export const oldHeaderObject = (imageName: string) => `${imageName}.rbd`;
/** Images of format 1 have no id. Here it is their name after a prefix that no id or name can have. */
export const oldId = (imageName: string) => `${oldMark}${imageName}`;
export const oldName = (oldImageId: string) => oldImageId.slice(oldMark.length);
export const isOldId = (imageId: string) => imageId.startsWith(oldMark);
const oldMark = "/";

export const dataPrefix = (imageId: string, ownPoolId: number, dataPoolId: number) =>
  dataPoolId === ownPoolId ? `rbd_data.${imageId}` : `rbd_data.${ownPoolId}.${imageId}`;

/** Name of a data object; format 1 uses shorter numbers. */
export const dataObject = (objectPrefix: string, objectNumber: number) =>
  `${objectPrefix}.${objectNumber.toString(16).padStart(objectPrefix.startsWith("rb.") ? 12 : 16, "0")}`;
