import { testVmDisk } from "../../support/attach/vm-disk.ts";

testVmDisk("vhost");
