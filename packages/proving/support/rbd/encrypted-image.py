"""Opens an encrypted image through librbd, and writes to it or reads from it: encrypted-image.py CONF POOL IMAGE luks1|luks2 PASSPHRASE-FILE
write OFFSET TEXT | read OFFSET LENGTH"""

import sys

import rados
import rbd

conf, pool, name, version, passphrase_file, action, offset, what = sys.argv[1:9]
formats = {"luks1": rbd.RBD_ENCRYPTION_FORMAT_LUKS1, "luks2": rbd.RBD_ENCRYPTION_FORMAT_LUKS2}
with rados.Rados(conffile=conf, rados_id="admin") as cluster, cluster.open_ioctx(pool) as ioctx:
    with rbd.Image(ioctx, name) as image:
        with open(passphrase_file) as file:
            image.encryption_load(formats[version], file.read())
        if action == "write":
            image.write(what.encode(), int(offset))
        else:
            sys.stdout.buffer.write(image.read(int(offset), int(what)))
