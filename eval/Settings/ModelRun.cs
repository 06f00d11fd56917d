using LServe.Inference;
using LServe.Model;

namespace LServe.Eval;

/// <summary>A model under one setting, with sequences that take steps together. No engine: which token comes next is the task's business.</summary>
internal sealed class ModelRun : IDisposable
{
    public const int MaxRows = 512;

    private readonly IBackend _backend;
    private readonly LlamaForward _forward;
    private readonly KvGeometry _geometry;
    private readonly StepPlan _plan = new();
    private readonly TwoWayPageTable[] _tables;
    private readonly SelectionState?[] _selections;
    private readonly int[] _lengths, _promptEnds;

    /// <param name="audit">Where to add up what attention loses; null: nowhere.</param>
    public ModelRun(ModelFile model, Setting setting, HeadPattern? pattern, int sequences, int tokens, EvalOptions options, AttentionAudit? audit = null)
    {
        _backend = audit is null ? EvalBackend.Open(options) : EvalBackend.OpenAudited(options, audit);
        _geometry = setting.Geometry(model.Config, pattern, sequences, tokens) with { ChannelBlock = _backend.Info.ChannelBlock, GroupSize = model.Config.GroupSize };
        Vocabulary = model.Config.VocabularySize;
        _forward = new LlamaForward(_backend, model.Config, model.Weights, MaxRows);
        _backend.AllocateKv(_geometry);
        _tables = [.. Enumerable.Range(0, sequences).Select(s => Table(s, KvGeometry.PagesFor(tokens)))];
        (_lengths, _promptEnds, _selections) = (new int[sequences], new int[sequences], new SelectionState?[sequences]);
        for (var i = 0; i < sequences; i++) Restart(i);
    }

    public int Vocabulary { get; }

    /// <summary>Forgets a sequence; its pages may be written anew.</summary>
    public void Restart(int sequence)
    {
        _lengths[sequence] = _promptEnds[sequence] = 0;
        _selections[sequence] = _geometry.LServe is null ? null : new SelectionState(_geometry);
    }

    /// <summary>Appends tokens to one sequence as prompt, in steps of at most <see cref="MaxRows"/>.</summary>
    /// <param name="see">Given the logits of every step's wanted rows; null: only the last row is wanted.</param>
    /// <returns>Logits of the last row, valid until the next step.</returns>
    public ReadOnlySpan<float> Prefill(int sequence, ReadOnlySpan<int> tokens, Action<ReadOnlySpan<float>>? see = null)
    {
        ReadOnlySpan<float> logits = [];
        for (var at = 0; at < tokens.Length; at += MaxRows)
        {
            var chunk = tokens[at..Math.Min(at + MaxRows, tokens.Length)];
            var last = at + chunk.Length == tokens.Length;
            _plan.Clear();
            _plan.AddPrefill(_tables[sequence], _lengths[sequence], chunk, see is not null ? LogitChoice.All : last ? LogitChoice.Last : LogitChoice.None, _selections[sequence]);
            logits = _forward.Run(_plan);
            _lengths[sequence] += chunk.Length;
            see?.Invoke(logits);
        }
        _promptEnds[sequence] = _lengths[sequence];
        return logits[^Vocabulary..];
    }

    /// <summary>Takes over the prompt that another run has read, which with this setting would have come out the same (<see cref="Setting.PromptsAs"/>).</summary>
    public void Adopt(ModelRun from, int sequence)
    {
        Restart(sequence);
        var pages = KvGeometry.PagesFor(from._lengths[sequence]);
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            var bytes = new byte[checked((int)_geometry.PageBytesOf(pool))];
            for (var i = 0; i < (bytes.Length == 0 ? 0 : pages); i++)
            {
                from._backend.ReadPage(pool, PageOf(from._tables[sequence], pool, i), bytes);
                _backend.WritePage(pool, PageOf(_tables[sequence], pool, i), bytes);
            }
        }
        (_lengths[sequence], _promptEnds[sequence]) = (from._lengths[sequence], from._promptEnds[sequence]);
        if (_selections[sequence] is not { } own || from._selections[sequence] is not { } state) return;
        from._backend.ReadSelection(state);
        for (var place = 0; place < _geometry.Heads.RetrievalHeads; place++) state.Open(place).CopyTo(own.Open(place));
    }

    private static int PageOf(TwoWayPageTable table, KvPool pool, int index) => pool == KvPool.Streaming ? table.Streaming(index) : table.Retrieval[index];

    /// <summary>A decode step of one token for each of the first sequences.</summary>
    /// <returns>Logits [tokens, vocabulary], valid until the next step.</returns>
    public ReadOnlySpan<float> Decode(ReadOnlySpan<int> tokens)
    {
        _plan.Clear();
        for (var i = 0; i < tokens.Length; i++)
        {
            var renew = _geometry.LServe?.MustRenew(_lengths[i], _promptEnds[i]) ?? false;
            _plan.AddDecode(_tables[i], _lengths[i]++, tokens[i], true, _selections[i], renew);
        }
        return _forward.Run(_plan);
    }

    /// <summary>All pages are kept: what streaming heads don't see stays where it is.</summary>
    private TwoWayPageTable Table(int sequence, int pages)
    {
        var table = new TwoWayPageTable();
        for (var i = 0; i < pages; i++)
        {
            table.Add(sequence * pages + i);
            if (_geometry.Heads.AnyStreams) table.AddStreaming(sequence * pages + i);
        }
        return table;
    }

    public void Dispose()
    {
        _forward.Dispose();
        _backend.Dispose();
    }
}
