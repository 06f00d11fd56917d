using System.Text;

namespace LServe.Cuda.Jit;

/// <summary>Compiles kernels to machine code through NVRTC, without a GPU or a toolkit. Safe to use from several threads.</summary>
/// <param name="cache">Where results are kept, or null: nowhere.</param>
/// <param name="lineInfo">Whether tools shall see source lines.</param>
public sealed unsafe class KernelCompiler(KernelSources sources, ComputeArchitecture architecture, KernelCache? cache = null, bool lineInfo = false)
{
    private readonly string[] _options =
    [
        $"--gpu-architecture={architecture.Target}", "--std=c++17", "--device-as-default-execution-space",
        .. lineInfo ? (string[])["--generate-line-info"] : [],
    ];

    public KernelSources Sources => sources;

    /// <summary>A CUBIN, from the cache where it is there.</summary>
    /// <exception cref="KernelCompilationException">The source is wrong, or NVRTC is missing or too old.</exception>
    public byte[] Compile(KernelVariant variant)
    {
        if (NvrtcLibrary.Handle == 0) throw new KernelCompilationException(NvrtcLibrary.MissingMessage, "");
        var key = KernelSources.Hash([variant.ToString(), NvrtcLibrary.Version!.ToString(), .. _options, sources[variant.File], sources.HeaderHash]);
        if (cache?.TryRead(key) is { } kept) return kept;
        var image = CompileSource(sources[variant.File], variant.ToString(), variant.Defines);
        cache?.Write(key, image);
        return image;
    }

    /// <summary>Compiles text that isn't a file of the sources, against their headers; never cached.</summary>
    internal byte[] CompileSource(string source, string name, ReadOnlySpan<string> defines)
    {
        using var strings = new NativeStrings();
        var headerTexts = strings.Array(sources.Headers.Select(h => h.Text));
        var headerNames = strings.Array(sources.Headers.Select(h => h.Name));
        NvrtcApi.Check(NvrtcApi.nvrtcCreateProgram(out var program, strings.One(source), strings.One(name), sources.Headers.Count, headerTexts, headerNames));
        try
        {
            string[] options = [.. _options, .. defines.ToArray().Select(define => $"--define-macro={define}")];
            var code = NvrtcApi.nvrtcCompileProgram(program, options.Length, strings.Array(options));
            if (code != 0) throw new KernelCompilationException($"{name}: {NvrtcApi.Text(code)}", Log(program));
            NvrtcApi.Check(NvrtcApi.nvrtcGetCUBINSize(program, out var bytes));
            var image = new byte[(int)bytes];
            fixed (byte* to = image) NvrtcApi.Check(NvrtcApi.nvrtcGetCUBIN(program, to));
            return image;
        }
        finally
        {
            _ = NvrtcApi.nvrtcDestroyProgram(ref program);
        }
    }

    private static string Log(nint program)
    {
        NvrtcApi.Check(NvrtcApi.nvrtcGetProgramLogSize(program, out var bytes));
        var log = new byte[(int)bytes];
        fixed (byte* to = log) NvrtcApi.Check(NvrtcApi.nvrtcGetProgramLog(program, to));
        return Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
    }
}
