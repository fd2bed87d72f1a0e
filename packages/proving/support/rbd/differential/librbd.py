"""Works on RBD images through librbd, as told by lines of JSON: {"op": ..., arguments} -> {"ok": ...} or {"error": ...}."""

import base64
import json
import sys

import rados
import rbd

conf, user, pool = sys.argv[1:4]
cluster = rados.Rados(conffile=conf, name=user, conf={"rbd_default_clone_format": "2"})
cluster.connect()
ioctx = cluster.open_ioctx(pool)
images = {}


def open_image(image):
    images[image] = rbd.Image(ioctx, image)


def close_image(image):
    images.pop(image).close()


def read(image, offset, length, snapshot=None):
    if snapshot is None:
        data = images[image].read(offset, length)
    else:
        with rbd.Image(ioctx, image, snapshot=snapshot, read_only=True) as at:
            data = at.read(offset, length)
    return base64.b64encode(data).decode()


def write(image, offset, data):
    images[image].write(base64.b64decode(data), offset)


def create(image, size, order, features, stripe_unit, stripe_count):
    rbd.RBD().create(ioctx, image, size, order, False, features, stripe_unit, stripe_count)


def clone(image, snapshot, child, order, features, stripe_unit, stripe_count):
    rbd.RBD().clone(
        ioctx, image, snapshot, ioctx, child, features, order, stripe_unit, stripe_count
    )


def set_object_map(image, on):
    features = rbd.RBD_FEATURE_OBJECT_MAP | rbd.RBD_FEATURE_FAST_DIFF
    images[image].update_features(features, on)


def address():
    """The address of the connections, as in the blocklist."""
    return cluster.get_addrs().split("v2:")[-1].split("v1:")[-1].rstrip("]")


operations = {
    "address": address,
    "open": open_image,
    "close": close_image,
    "create": create,
    "clone": clone,
    "read": read,
    "write": write,
    "setObjectMap": set_object_map,
    "discard": lambda image, offset, length: images[image].discard(offset, length),
    "writeZeroes": lambda image, offset, length: images[image].write_zeroes(offset, length),
    "flush": lambda image: images[image].flush(),
    "resize": lambda image, size: images[image].resize(size),
    "createSnapshot": lambda image, snapshot: images[image].create_snap(snapshot),
    "removeSnapshot": lambda image, snapshot: images[image].remove_snap(snapshot),
    "rollBack": lambda image, snapshot: images[image].rollback_to_snap(snapshot),
    "flatten": lambda image: images[image].flatten(),
}

for line in sys.stdin:
    arguments = json.loads(line)
    try:
        # librbd cuts requests to the size that it knows, before it checks whether the size has changed.
        if arguments.get("image") in images:
            images[arguments["image"]].size()
        answer = {"ok": operations[arguments.pop("op")](**arguments)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

for image in images.values():
    image.close()
