import { testVmDisk } from "../support/vm-disk.ts";

testVmDisk("vhost");
