namespace LServe.Cuda.Jit;

/// <summary>A GPU's compute capability.</summary>
public readonly record struct ComputeArchitecture(int Major, int Minor)
{
    /// <summary>Hopper: the oldest with bulk copies and clusters.</summary>
    public static ComputeArchitecture Least { get; } = new(9, 0);

    public bool Supported => (Major, Minor).CompareTo((Least.Major, Least.Minor)) >= 0;

    /// <summary>NVRTC's name: with the architecture's own instructions where it has some.</summary>
    public string Target => Major >= 9 ? $"sm_{Major}{Minor}a" : $"sm_{Major}{Minor}";

    public override string ToString() => $"sm_{Major}{Minor}";
}
