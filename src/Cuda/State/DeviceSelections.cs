using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>
/// What page selection keeps of sequences, on the device: a line each, with the heads of all layers side by side, and the lists that two-stage
/// selection makes anew in every step. A line's part moves to and from a <see cref="SelectionState"/> whole.
/// </summary>
internal sealed class DeviceSelections : IDisposable
{
    private readonly LServeOptions _options;
    private readonly int _openBytes, _keptBytes;
    private readonly DeviceMemory _counts, _kept, _open, _lists, _listCounts;
    private readonly PinnedMemory _staging;

    public DeviceSelections(KvGeometry geometry, int lines)
    {
        _options = geometry.LServe!;
        Heads = geometry.Heads.RetrievalHeads;
        _keptBytes = _options.KeptPages * sizeof(int);
        _openBytes = _options.Statistics == Inference.PageStatistics.None ? 0 : 2 * geometry.HeadDim * sizeof(float);
        var all = (long)lines * Heads;
        (_counts, _kept, _open) = (DeviceMemory.Allocate(all * sizeof(int)), DeviceMemory.Allocate(all * _keptBytes), DeviceMemory.Allocate(all * _openBytes));
        var twoStage = _options.Policy == SelectionPolicy.TwoStage;
        _lists = DeviceMemory.Allocate(twoStage ? all * _options.BudgetPages * sizeof(int) : 0);
        _listCounts = DeviceMemory.Allocate(twoStage ? all * sizeof(int) : 0);
        _staging = PinnedMemory.Allocate((long)Heads * (sizeof(int) + _keptBytes + _openBytes));
    }

    /// <summary>Retrieval heads of all layers.</summary>
    public int Heads { get; }

    public ulong Counts(int head) => _counts.Address + (ulong)(head * sizeof(int));
    public ulong Kept(int head) => _kept.Address + (ulong)((long)head * _keptBytes);
    public ulong Open(int head) => _openBytes == 0 ? 0 : _open.Address + (ulong)((long)head * _openBytes);

    /// <summary>What attention reads: the second stage's choice, or what is kept.</summary>
    public (ulong Pages, ulong Counts, int Width) Lists(int head) =>
        _options.Policy == SelectionPolicy.TwoStage
            ? (_lists.Address + (ulong)((long)head * _options.BudgetPages * sizeof(int)), _listCounts.Address + (ulong)(head * sizeof(int)), _options.BudgetPages)
            : (Kept(head), Counts(head), _options.KeptPages);

    /// <summary>Makes a line the state's.</summary>
    public void Upload(int line, SelectionState state, CudaStream stream)
    {
        state.CopyTo(_staging.Span<byte>(state.SavedBytes));
        foreach (var (memory, at, offset, bytes) in Parts(line))
            if (bytes > 0) stream.Upload(memory, offset, _staging, at, bytes);
        stream.Synchronize();
    }

    /// <summary>Brings a line back.</summary>
    public void Download(int line, SelectionState state, CudaStream stream)
    {
        foreach (var (memory, at, offset, bytes) in Parts(line))
            if (bytes > 0) stream.Download(_staging, at, memory, offset, bytes);
        stream.Synchronize();
        if (!state.TryCopyFrom(_staging.Span<byte>(state.SavedBytes), int.MaxValue)) throw new InvalidOperationException("The device's choices are no lists of pages.");
    }

    /// <summary>Pages that a line's head read last.</summary>
    public int[] ReadList(int line, int head)
    {
        var (_, _, width) = Lists(0);
        var (pages, counts) = _options.Policy == SelectionPolicy.TwoStage ? (_lists, _listCounts) : (_kept, _counts);
        var at = line * Heads + head;
        var count = new int[1];
        counts.Download<int>(count, (long)at * sizeof(int));
        var list = new int[count[0]];
        if (list.Length > 0) pages.Download<int>(list, (long)at * width * sizeof(int));
        return list;
    }

    /// <summary>As <see cref="SelectionState.CopyTo"/> orders them.</summary>
    private IEnumerable<(DeviceMemory Memory, long At, long Offset, long Bytes)> Parts(int line)
    {
        long at = 0;
        foreach (var (memory, each) in new[] { (_counts, sizeof(int)), (_kept, _keptBytes), (_open, _openBytes) })
        {
            var bytes = (long)Heads * each;
            yield return (memory, at, line * bytes, bytes);
            at += bytes;
        }
    }

    public void Dispose()
    {
        foreach (var memory in new[] { _counts, _kept, _open, _lists, _listCounts }) memory.Dispose();
        _staging.Dispose();
    }
}
