using System.Collections.Concurrent;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Compiled and loaded kernels of one device. Loading is for the start; launches afterwards look nothing up.</summary>
internal sealed class KernelLibrary(CudaContext context, KernelCompiler compiler) : IDisposable
{
    private readonly ConcurrentDictionary<string, byte[]> _images = new();
    private readonly Dictionary<string, CudaModule> _modules = [];

    public CudaContext Context => context;

    /// <summary>Compiles <paramref name="variants"/> side by side, so that <see cref="Kernel"/> only loads them.</summary>
    public void Prepare(IEnumerable<KernelVariant> variants) =>
        Parallel.ForEach(variants, variant => _images.GetOrAdd(variant.ToString(), _ => compiler.Compile(variant)));

    /// <param name="entry">The kernel's <c>extern "C"</c> name.</param>
    /// <param name="sharedBytes">Dynamic shared memory a launch may ask for.</param>
    public CudaKernel Kernel(KernelVariant variant, string entry, int sharedBytes = 0)
    {
        var key = variant.ToString();
        if (!_modules.TryGetValue(key, out var module))
            _modules.Add(key, module = CudaModule.Load(_images.GetOrAdd(key, _ => compiler.Compile(variant))));
        return module.Kernel(entry, sharedBytes);
    }

    public void Dispose()
    {
        foreach (var module in _modules.Values) module.Dispose();
        _modules.Clear();
    }
}
