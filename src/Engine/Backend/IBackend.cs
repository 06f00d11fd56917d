using LServe.Model;

namespace LServe.Inference;

/// <summary>
/// The narrow waist between the forward pass and a device. A step is <see cref="BeginStep"/>, the operations of
/// <see cref="LlamaForward"/>, <see cref="EndStep"/>; each operation works on all rows of the step's plan. Single-threaded by contract:
/// only the engine's step loop calls it. Row results are batch-invariant bit for bit: a row's own data decide its order of reduction.
/// </summary>
public interface IBackend : IDisposable
{
    BackendInfo Info { get; }

    /// <summary>
    /// Takes over a matrix [outputs, inputs] of <paramref name="parts"/> stacked by rows; types may differ part by part.
    /// </summary>
    /// <param name="biases">Empty, or one per part (null: none).</param>
    /// <exception cref="NotSupportedException">A tensor type this backend has no kernel for.</exception>
    IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default);

    /// <summary>Takes over a vector, such as a norm's gain.</summary>
    IDeviceWeight LoadVector(Tensor vector);

    /// <summary>Activations [<paramref name="rows"/>, <paramref name="columns"/>], contents undefined.</summary>
    IDeviceBuffer Allocate(int rows, int columns);

    /// <summary>Reserves the KV pages; called once, before the first step.</summary>
    void AllocateKv(KvGeometry geometry);

    /// <summary>Starts a step. The plan and what it refers to stay unchanged until <see cref="EndStep"/> returns.</summary>
    void BeginStep(StepPlan plan);

    /// <summary>x[r] = table[token of row r].</summary>
    void Embed(IDeviceWeight table, IDeviceBuffer x);

    /// <summary>y = x / sqrt(mean(x²) + epsilon) · gain, row by row.</summary>
    void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y);

    /// <summary>y = x · wᵀ (+ bias).</summary>
    void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y);

    /// <summary>y += x · wᵀ (+ bias).</summary>
    void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y);

    /// <summary>
    /// In <paramref name="qkv"/> [rows, (H + 2G)·D]: norms queries and keys per head where the layer does, rotates both by their
    /// positions, writes keys and values into the pages of <paramref name="layer"/>. Queries stay in place for <see cref="Attend"/>.
    /// </summary>
    void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv);

    /// <summary>
    /// Retrieval heads of sparse sequences choose the pages that <see cref="Attend"/> of the same layer reads: decode rows by
    /// <see cref="LServeOptions.Policy"/>, prompts past the threshold block by block. Nothing to do for dense sequences.
    /// </summary>
    void Select(AttentionLayer layer, IDeviceBuffer qkv);

    /// <summary>Causal attention of the queries in <paramref name="qkv"/> over their sequences' pages, as the cache gives them back; output [rows, H·D].</summary>
    void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output);

    /// <summary>y[i] = silu(gate[i]) · up[i] with gateUp = [gate, up] per row.</summary>
    void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y);

    /// <summary>Final norm and output matrix, for the rows in <see cref="StepPlan.LogitRows"/> alone.</summary>
    void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output);

    /// <summary>Waits for the step and gives its logits [LogitRows.Length, vocabulary], float32, valid until the next <see cref="BeginStep"/>.</summary>
    ReadOnlySpan<float> EndStep();

    /// <summary>Copies a whole page (all layers), for copy-on-write. Between steps.</summary>
    void CopyPage(KvPool pool, int from, int to);

    /// <summary>What a page of the pool is made of, token by token; null: it can only be read and written whole. Once KV pages are there.</summary>
    PageForm? FormOf(KvPool pool) => null;

    /// <summary>
    /// The page itself, of <see cref="KvGeometry.PageBytesOf"/> bytes, if it lies in host memory; null otherwise. Of a page that no
    /// step uses it may be written at any time, by any thread.
    /// </summary>
    Memory<byte>? MemoryOf(KvPool pool, int page) => null;

    /// <summary>Copies a whole page (all layers) to host memory of <see cref="KvGeometry.PageBytesOf"/> bytes, in the backend's own layout. Between steps.</summary>
    void ReadPage(KvPool pool, int page, Span<byte> to);

    /// <summary>Writes what <see cref="ReadPage"/> of a backend with the same <see cref="BackendInfo.PageLayout"/> gave. Between steps.</summary>
    void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from);

    /// <summary>
    /// Brings what a device keeps of a sequence's choices to <paramref name="state"/>, which then counts until the sequence's next step.
    /// Between steps. Backends that work on the state itself have nothing to do.
    /// </summary>
    void ReadSelection(SelectionState state) { }

    /// <summary>Whether another step can succeed, asked after one has failed. False: the device is lost to this process, with all that was in it.</summary>
    bool IsUsable => true;
}

/// <summary>A weight in the backend's own form.</summary>
public interface IDeviceWeight : IDisposable
{
    int Rows { get; }
    int Columns { get; }
}

/// <summary>Activations in the backend's own form.</summary>
public interface IDeviceBuffer : IDisposable
{
    int Rows { get; }
    int Columns { get; }
}

/// <param name="Name">For people, such as <c>cpu (AVX-512, 2 threads)</c>.</param>
/// <param name="Arithmetic">Equal for backends whose results are equal bit for bit: device kind, SIMD width, kernels.</param>
/// <param name="MemoryBytes">Bytes the backend may use, for the memory plan.</param>
/// <param name="UniformRows">Whether dense prefill and decode kernels give the same bits, so that a dense replay may run all of it as prefill.</param>
/// <param name="PageLayout">Equal for backends that can read each other's KV pages byte by byte; empty: this one can't give its pages away.</param>
/// <param name="ChannelBlock">See <see cref="KvGeometry.ChannelBlock"/>.</param>
/// <param name="PrefillRows">What <see cref="EngineOptions.PrefillRows"/> should be to keep this backend busy.</param>
public sealed record BackendInfo(
    string Name, string Arithmetic, long MemoryBytes, bool UniformRows = false, string PageLayout = "", int ChannelBlock = 1, int PrefillRows = 512)
{
    /// <summary>Whether KV pages lie in a device's memory; false: in the machine's.</summary>
    public bool PagesOnDevice { get; init; }
}

/// <summary>What the attention of one layer needs besides the activations.</summary>
/// <param name="Index">Layer, from 0.</param>
/// <param name="QueryNorm">[D] gain of the per-head norm, or null.</param>
/// <param name="KeyNorm">[D] gain of the per-head norm, or null.</param>
public sealed record AttentionLayer(int Index, ModelConfig Config, IDeviceWeight? QueryNorm, IDeviceWeight? KeyNorm);
