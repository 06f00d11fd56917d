namespace LServe.Cuda.Driver;

/// <summary>A call of the CUDA driver failed. The context is unusable after a launch error: rebuild it from host state.</summary>
/// <param name="call">The driver function.</param>
/// <param name="code">Its return code.</param>
/// <param name="name">The code's name, such as <c>CUDA_ERROR_OUT_OF_MEMORY</c>.</param>
/// <param name="text">The driver's own words.</param>
public sealed class CudaException(string call, int code, string name, string text) : Exception($"{call}: {name} ({code}): {text}")
{
    private const int OutOfMemoryCode = 2;

    public string Call { get; } = call;
    public int Code { get; } = code;
    public string Name { get; } = name;

    /// <summary>The device has too little free memory; the context stays usable.</summary>
    public bool OutOfMemory => Code == OutOfMemoryCode;
}

/// <summary>There is no device to use. The message says what is missing and how to get it.</summary>
public sealed class CudaUnavailableException(string message) : Exception(message);
