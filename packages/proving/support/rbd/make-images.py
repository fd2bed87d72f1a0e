"""Makes images with snapshots, holes, shrinks and a clone, the same ones for the same seed: make-images.py CONF POOL"""

import random
import sys

import rados
import rbd

conf, pool = sys.argv[1:3]
order = 16
size = 40 * 2**order


def change(image, choice, steps):
    """Writes, discards and resizes at random places."""
    for _ in range(steps):
        end = image.size()
        offset = choice.randrange(end)
        length = min(choice.choice([512, 4096, 50_000, 200_000]), end - offset)
        kind = choice.random()
        if kind < 0.7:
            image.write(bytes([choice.randrange(1, 256)]) * length, offset)
        elif kind < 0.95:
            image.discard(offset, length)
        else:
            image.resize(choice.randrange(size // 2, size))


with rados.Rados(conffile=conf, rados_id="admin") as cluster, cluster.open_ioctx(pool) as ioctx:
    layouts = {
        "plain": dict(features=rbd.RBD_FEATURE_LAYERING),
        "striped": dict(
            features=rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_STRIPINGV2, stripe_unit=8192, stripe_count=3
        ),
        "mapped": dict(
            features=rbd.RBD_FEATURE_LAYERING
            | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
            | rbd.RBD_FEATURE_OBJECT_MAP
            | rbd.RBD_FEATURE_FAST_DIFF
        ),
    }
    for name, layout in layouts.items():
        rbd.RBD().create(ioctx, name, size, order, old_format=False, **layout)
    rbd.RBD().create(ioctx, "empty", size, order, old_format=False, features=1)
    for name in layouts:
        choice = random.Random(name)
        with rbd.Image(ioctx, name) as image:
            for snapshot in ["one", "two", "three"]:
                change(image, choice, 12)
                image.create_snap(snapshot)
            change(image, choice, 6)
            image.metadata_set("owner", "jürgen")
    with rbd.Image(ioctx, "plain") as image:
        image.protect_snap("two")
    rbd.RBD().clone(ioctx, "plain", "two", ioctx, "clone", features=1, order=order)
    with rbd.Image(ioctx, "clone") as image:
        choice = random.Random("clone")
        for snapshot in ["first", "second"]:
            change(image, choice, 4)
            image.create_snap(snapshot)
        change(image, choice, 2)
