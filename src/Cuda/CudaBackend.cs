using System.Globalization;
using LServe.Cuda.Attention;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;
using LServe.Cuda.State;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cuda;

/// <summary>
/// The backend of one GPU: weights as the file has them (or binary16), binary16 inputs and float32 sums in products, float32 between them,
/// LServe's attention over two pools of KV pages (<see cref="SparseAttention"/>). A row's result is bit for bit the same alone and in any batch: decode rows go through the decode kernels, prompt rows
/// through the prefill ones, and in each the order of every sum follows from the row alone. Steps that only decode run as one graph.
/// </summary>
public sealed class CudaBackend : IBackend
{
    /// <summary>Rows: so many that products and attention of half of them would leave multiprocessors idle.</summary>
    public const int PrefillRows = 2048;

    private readonly CudaContext _context;
    private readonly KernelLibrary _library;
    private readonly CudaKernels _kernels;
    private readonly CudaStream _stream = CudaStream.Create();
    private readonly GraphRunner _graphs;
    private readonly LogitsOutput _logits = new();
    private readonly Dictionary<RopeParameters, DeviceMemory> _frequencies = [];
    private readonly HashSet<WeightFormat> _prepared = [];
    private readonly StepWatch _watch;
    private readonly bool _useGraphs;
    private SparseAttention? _attention;
    private StepPlan? _plan;
    private int _decodeRows;

    private CudaBackend(CudaContext context, CudaOptions options)
    {
        _context = context;
        var cache = options.KernelCache is { } folder ? new KernelCache(folder) : null;
        _library = new(context, new(KernelSources.Embedded, context.Architecture, cache));
        _library.Prepare(CudaKernels.Common);
        _kernels = new(_library);
        _graphs = new(_stream);
        _watch = new(_stream, options.StepTimeout);
        _useGraphs = options.Graphs;
        Info = new(
            $"cuda ({context.Name})", $"cuda-3-{context.Architecture}", context.FreeBytes, PageLayout: "cuda-1", ChannelBlock: AttentionSupport.ChannelBlock, PrefillRows: PrefillRows)
        {
            PagesOnDevice = true,
        };
    }

    public BackendInfo Info { get; }

    private StepPlan Plan => _plan ?? throw new InvalidOperationException("No step has begun.");
    private SparseAttention Attention => _attention ?? throw new InvalidOperationException("AllocateKv comes before the first step.");

    /// <exception cref="CudaUnavailableException">No driver, no such GPU, one that is too old, or no NVRTC. The message has the remedy.</exception>
    public static CudaBackend Open(CudaOptions options)
    {
        if (CudaDevices.Describe().Problem is { } problem) throw new CudaUnavailableException(problem);
        var context = CudaContext.Open(options.Device);
        if (context.Architecture.Supported) return new(context, options);
        using (context)
            throw new CudaUnavailableException($"{context.Name} is {context.Architecture}; kernels need {ComputeArchitecture.Least} or newer. Use --backend cpu.");
    }

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default)
    {
        _context.MakeCurrent();
        foreach (var part in parts)
            if (_prepared.Add(WeightFormats.Of(part.Type))) _library.Prepare(CudaKernels.Of(WeightFormats.Of(part.Type)));
        try
        {
            return CudaMatrix.Load(parts, biases);
        }
        catch (CudaException problem) when (problem.OutOfMemory)
        {
            throw new NotSupportedException(
                $"the weights don't fit: {_context.Name} has {Gigabytes(_context.FreeBytes)} left at {parts[0].Name}. Leave them more room with --kv-tokens or --context.", problem);
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");

    public IDeviceWeight LoadVector(Tensor vector)
    {
        _context.MakeCurrent();
        return new CudaVector(vector);
    }

    public IDeviceBuffer Allocate(int rows, int columns)
    {
        _context.MakeCurrent();
        return new CudaBuffer(rows, columns);
    }

    public void AllocateKv(KvGeometry geometry)
    {
        if (_attention is not null) throw new InvalidOperationException("The KV pages are allocated already.");
        _context.MakeCurrent();
        var free = _context.FreeBytes;
        try
        {
            _attention = new(_library, geometry);
        }
        catch (CudaException problem) when (problem.OutOfMemory)
        {
            throw new NotSupportedException(
                $"the KV cache takes {Gigabytes(geometry.TotalBytes)} of GPU memory ({geometry.Pages} pages of {KvGeometry.PageTokens} tokens) and {_context.Name} "
                + $"has {Gigabytes(free)} left, also for the weights. Ask for less with --kv-tokens or --context, or for fewer bits with --kv.", problem);
        }
    }

    public void BeginStep(StepPlan plan)
    {
        _context.MakeCurrent();
        _graphs.Recover();
        _plan = plan;
        var decode = Attention.Begin(plan, _stream);
        _decodeRows = decode.Rows;
        var repeats = _useGraphs && _decodeRows == plan.Rows && plan.Rows <= LinearDecode.MaxRows;
        _graphs.Begin(repeats ? new(decode, plan.LogitRows.Length, Attention.Generation + _logits.Generation) : null);
        if (_graphs.Issues) Attention.Plan(_stream);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x)
    {
        if (_graphs.Issues) _kernels.Embed.Launch(_stream, ((CudaMatrix)table).Parts[0], Attention.Inputs.Tokens, ((CudaBuffer)x).Float(), Plan.Rows);
    }

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y)
    {
        if (_graphs.Issues) Norm((CudaBuffer)x, (CudaVector)gain, epsilon, ((CudaBuffer)y).Half(), rows: 0, Plan.Rows, transposed: Plan.Rows - _decodeRows);
    }

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((CudaBuffer)x, (CudaMatrix)w, (CudaBuffer)y, add: false);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((CudaBuffer)x, (CudaMatrix)w, (CudaBuffer)y, add: true);

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        if (_graphs.Issues) Attention.Append(layer, ((CudaBuffer)qkv).Float(), Frequencies(layer.Config.Rope), _stream);
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv)
    {
        if (_graphs.Issues) Attention.Select(layer, ((CudaBuffer)qkv).Float(), _stream);
    }

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        if (_graphs.Issues) Attention.Attend(layer, ((CudaBuffer)qkv).Float(), ((CudaBuffer)output).Half(), _stream);
    }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y)
    {
        if (_graphs.Issues)
            _kernels.SiluMul.Launch(_stream, Plan.Rows, new() { GateUp = ((CudaBuffer)gateUp).Float(), Y = ((CudaBuffer)y).Half(), Columns = y.Columns, Transposed = Plan.Rows - _decodeRows });
    }

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output)
    {
        var (rows, w) = (Plan.LogitRows.Length, (CudaMatrix)output);
        if (rows == 0 || !_graphs.Issues) return;
        _logits.Reserve(rows, w.Columns, w.Rows);
        Norm((CudaBuffer)x, (CudaVector)gain, epsilon, _logits.Normed, Attention.Inputs.LogitRows, rows, transposed: 0);
        MultiplyDecode(_logits.Normed, w, _logits.Values, rows, add: false);
    }

    public ReadOnlySpan<float> EndStep()
    {
        var rows = Plan.LogitRows.Length;
        _plan = null;
        _graphs.End();
        _logits.Download(rows, _stream);
        _watch.Synchronize();
        return _logits.Host(rows);
    }

    public bool IsUsable
    {
        get
        {
            _graphs.Recover();
            return _watch.IsUsable;
        }
    }

    public void CopyPage(KvPool pool, int from, int to)
    {
        _context.MakeCurrent();
        Attention.Pools.Copy(pool, from, to, _stream);
    }

    public void ReadPage(KvPool pool, int page, Span<byte> to)
    {
        _context.MakeCurrent();
        _stream.Synchronize();
        Attention.Pools.Read(pool, page, to);
    }

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from)
    {
        _context.MakeCurrent();
        _stream.Synchronize();
        Attention.Pools.Write(pool, page, from);
    }

    public void ReadSelection(SelectionState state)
    {
        _context.MakeCurrent();
        Attention.Lines.Return(state, _stream);
    }

    /// <summary>All pages of a pool; for measurements.</summary>
    internal DeviceMemory Pages(KvPool pool) => Attention.Pools.Memory(pool);

    /// <summary>Where steps run; for measurements.</summary>
    internal CudaStream Stream => _stream;

    /// <summary>Launches of the last step that was replayed; for measurements.</summary>
    internal int Launches => _graphs.Nodes;

    /// <summary>Pages that a retrieval head of a slice chose in the last step, in the layer that chose last; for tests.</summary>
    internal int[] ChosenPages(int slice, int layer, int head, int block) => Attention.ChosenPages(slice, layer, head, block, _stream);

    /// <param name="transposed">So many rows, the last ones, are for products of prompts.</param>
    private void Norm(CudaBuffer x, CudaVector gain, float epsilon, ulong y, ulong rows, int count, int transposed) =>
        _kernels.RmsNorm.Launch(_stream, count, new()
        {
            X = x.Float(), Gain = gain.Address, Y = y, Rows = rows, Columns = x.Columns, Epsilon = epsilon, Transposed = transposed,
        });

    private void Multiply(CudaBuffer x, CudaMatrix w, CudaBuffer y, bool add)
    {
        if (!_graphs.Issues) return;
        MultiplyDecode(x.Half(), w, y.Float(), _decodeRows, add);
        var rows = Plan.Rows - _decodeRows;
        if (rows == 0) return;
        var first = 0;
        foreach (var part in w.Parts)
        {
            _kernels.Prefill.Launch(_stream, part.Format,
                new(part, x.Half(_decodeRows), y.Float(_decodeRows) + (ulong)(first * sizeof(float)), rows, w.Rows, add));
            first += part.Rows;
        }
    }

    private void MultiplyDecode(ulong x, CudaMatrix w, ulong y, int rows, bool add)
    {
        for (var done = 0; done < rows; done += LinearDecode.MaxRows)
        {
            var first = 0;
            foreach (var part in w.Parts)
            {
                var to = y + (ulong)(((long)done * w.Rows + first) * sizeof(float));
                _kernels.Decode.Launch(_stream, part.Format,
                    new(part, x + (ulong)((long)done * w.Columns * 2), to, Math.Min(rows - done, LinearDecode.MaxRows), w.Rows, add));
                first += part.Rows;
            }
        }
    }

    private ulong Frequencies(RopeParameters rope)
    {
        if (_frequencies.TryGetValue(rope, out var known)) return known.Address;
        var memory = DeviceMemory.Allocate(rope.InverseFrequencies.Length * sizeof(double));
        memory.Upload<double>(rope.InverseFrequencies);
        _frequencies.Add(rope, memory);
        return memory.Address;
    }

    public void Dispose()
    {
        _context.MakeCurrent();
        _stream.Synchronize();
        _graphs.Dispose();
        foreach (var memory in _frequencies.Values) memory.Dispose();
        _logits.Dispose();
        _attention?.Dispose();
        _stream.Dispose();
        _library.Dispose();
        _context.Dispose();
    }
}
