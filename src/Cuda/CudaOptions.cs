namespace LServe.Cuda;

/// <summary>How the GPU backend is set up.</summary>
public sealed record CudaOptions
{
    /// <summary>Which GPU, from 0. Default 0.</summary>
    public int Device { get; init; }

    /// <summary>Folder of compiled kernels, at most 512 files. Null (default): kernels are compiled at every start.</summary>
    public string? KernelCache { get; init; }

    /// <summary>After which a step that hasn't ended counts as hung, and the device as lost. Default a minute.</summary>
    public TimeSpan StepTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether steps that only decode run as captured graphs. Default true.</summary>
    public bool Graphs { get; init; } = true;
}
