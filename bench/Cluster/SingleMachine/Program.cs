Console.Error.WriteLine("bench cluster needs the cluster edition and this is the single-machine one; where the Orleans packages restore, './lserve --edition cluster' gets it.");
return 2;
