// Each class has a cluster of its own; one after another they need less memory, and no silo waits for a core so long that it is suspected.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
