namespace LServe.Cuda.Launch;

/// <summary>Weights to be brought into L2 ahead of their products: two ranges, in multiples of 16 bytes.</summary>
internal readonly record struct WeightsAhead(ulong Next, long NextBytes, ulong After, long AfterBytes);
