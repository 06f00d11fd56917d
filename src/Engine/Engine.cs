using System.Collections.Concurrent;
using LServe.Model;

namespace LServe.Inference;

/// <summary>
/// Tokens in, tokens out: one device, one model, one thread that runs step after step for all sequences. Thread-safe, except that a
/// sequence between turns belongs to its owner.
/// </summary>
public sealed class Engine : IDisposable
{
    private readonly IBackend _backend;
    private readonly LlamaForward _forward;
    private readonly Scheduler _scheduler;
    private readonly PageAllocator _pages;
    private readonly PageTransfer _transfer;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly ManualResetEventSlim _work = new();
    private readonly Lock _statisticsLock = new();
    private readonly Thread _loop;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EngineStatistics _statistics;
    private long _steps;
    private int _admitted;
    private bool _closed;

    /// <param name="backend">Becomes the engine's: it is disposed with it.</param>
    /// <param name="endTokens">Tokens that end an answer.</param>
    /// <param name="progress">Told the share of the weights loaded, 0 … 1.</param>
    public Engine(
        IBackend backend, ModelConfig config, ModelWeights weights, IReadOnlyList<int> endTokens, EngineOptions options, IProgress<float>? progress = null)
    {
        Options = options = EngineLimits.Resolve(options, config);
        _backend = backend;
        Geometry = EngineLimits.GeometryOf(options, config) with { ChannelBlock = backend.Info.ChannelBlock };
        new MemoryPlan(Geometry).CheckFits(backend.Info.MemoryBytes);
        backend.AllocateKv(Geometry);
        _forward = new(backend, config, weights, EngineLimits.MaxRows(options), progress);
        _pages = new(Geometry);
        _transfer = new(backend, Geometry, _pages);
        _scheduler = new(config, options, backend.Info.UniformRows, endTokens, _pages, () => Interlocked.Decrement(ref _admitted));
        UpdateStatistics(0);
        _loop = new Thread(Run) { Name = "lserve-engine", IsBackground = true };
        _loop.Start();
    }

    /// <summary>The options in force, with the model's own values where they were left open.</summary>
    public EngineOptions Options { get; }
    public KvGeometry Geometry { get; }
    public BackendInfo Backend => _backend.Info;

    /// <summary>Ends, with the reason, when the device is lost: the loop has stopped then, and sessions go on with an engine of another process.</summary>
    public Task<Exception> Lost => _lost.Task;

    public EngineStatistics Statistics
    {
        get { lock (_statisticsLock) return _statistics; }
    }

    /// <summary>Continues a sequence with a prompt. The result's events end with one of kind Finished or Failed.</summary>
    /// <param name="prompt">Tokens to append first; may be empty only if the sequence has a token that isn't cached yet.</param>
    /// <param name="maxTokens">Most tokens to draw, at least 1.</param>
    /// <exception cref="EngineException">The context is too short, the waiting room full, or the engine stopping.</exception>
    public Generation Generate(Sequence sequence, int[] prompt, SamplingParams sampling, int maxTokens)
    {
        if (_stopping.IsCancellationRequested) throw Stopping();
        if (sequence.Active is not null) throw new InvalidOperationException("The sequence has a generation in progress.");
        if (sequence.Mode == AttentionMode.LServe && Options.LServe is null)
            throw new EngineException(EngineFailure.Unsupported, "This engine attends densely only; start it with sparse attention, or use a dense session.");
        if (prompt.Length == 0 && sequence.CachedLength == sequence.Length) throw new ArgumentException("There is nothing to compute.", nameof(prompt));
        if (sequence.Length + prompt.Length >= Options.ContextLength)
            throw new EngineException(EngineFailure.ContextExceeded,
                $"The context would have {sequence.Length + prompt.Length} tokens; the window is {Options.ContextLength}, with room for an answer of at least one.");
        var generation = new Generation(sequence, prompt, sampling, maxTokens, Options.EventBuffer, _work.Set);
        if (Interlocked.Increment(ref _admitted) > Options.MaxWaiting + Options.MaxBatch)
        {
            Interlocked.Decrement(ref _admitted);
            throw new EngineException(EngineFailure.Overloaded,
                $"{Options.MaxWaiting + Options.MaxBatch} generations are waiting or running, which is this engine's limit. Try again shortly.");
        }
        sequence.Active = generation;
        if (Post(() => _scheduler.Enqueue(generation))) return generation;
        sequence.Active = null;
        throw Stopping();
    }

    /// <summary>Stops a generation at the next step boundary; its last event tells. Harmless once it has ended.</summary>
    public void Cancel(Generation generation) => Post(() => generation.CancelRequested = true);

    /// <summary>Drops the tokens of an idle sequence from <paramref name="length"/> on, with their pages.</summary>
    public Task TruncateAsync(Sequence sequence, int length) => OnIdle(sequence, () => _pages.Truncate(sequence, length));

    /// <summary>Frees the pages of an idle sequence; its next turn computes them again, the same way.</summary>
    public Task ReleaseAsync(Sequence sequence) => OnIdle(sequence, () => _pages.Free(sequence));

    /// <summary>
    /// Copies what of an idle sequence's cache isn't <paramref name="saved"/> to host memory, and tells what there is in all. Null if
    /// nothing is cached.
    /// </summary>
    /// <param name="saved">Tokens that are saved of each page, from its first on.</param>
    /// <param name="maxBytes">Bytes after which no further page is begun, so that other sequences' steps don't wait long.</param>
    public Task<KvSnapshot?> ExportAsync(Sequence sequence, IReadOnlyDictionary<KvPageId, int> saved, long maxBytes = long.MaxValue) =>
        OnIdle(sequence, () => _transfer.Export(sequence, saved, maxBytes));

    /// <summary>
    /// Takes room for the cache that an idle sequence without pages had, in an engine with the same geometry and
    /// <see cref="BackendInfo.PageLayout"/>. Null, and its next turn computes it again, if it doesn't belong to it or there is no room.
    /// </summary>
    /// <param name="selection">What <see cref="SelectionState.CopyTo"/> wrote; empty for a dense sequence.</param>
    public Task<PageImport?> BeginImportAsync(Sequence sequence, KvShape shape, ReadOnlyMemory<byte> selection) =>
        OnIdle(sequence, () => _transfer.Begin(sequence, shape, selection.Span));

    /// <summary>
    /// Where the bytes of a whole page are to be read to, without the step loop; null where pages aren't in host memory, or it isn't a whole
    /// page. Must not be used any more when the import has ended.
    /// </summary>
    public Memory<byte>? MemoryOf(PageImport import, in KvPart part) => _transfer.MemoryOf(import, part);

    /// <summary>Brings tokens back, by pool and position; false if their bytes aren't those of a page here.</summary>
    public Task<bool> ImportAsync(PageImport import, IReadOnlyList<KvPart> parts) => OnIdle(import.Sequence, () => _transfer.Write(import, parts));

    /// <summary>
    /// Makes what was brought back the sequence's cache, up to the first token that is missing; a sparse sequence may have to begin
    /// further back, or anew.
    /// </summary>
    /// <param name="intact">Tokens that were brought back, from the first on.</param>
    public Task EndImportAsync(PageImport import, int intact) => OnIdle(import.Sequence, () => _transfer.End(import, intact));

    /// <summary>Stops the loop; generations in progress fail with <see cref="EngineFailure.Stopping"/>. A device that is lost is left to the process's end.</summary>
    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        _work.Set();
        _loop.Join();
        _forward.Dispose();
        _backend.Dispose();
    }

    private void Run()
    {
        while (!_stopping.IsCancellationRequested)
        {
            _work.Reset();
            while (_commands.TryDequeue(out var command)) command();
            if (!Step()) _work.Wait();
        }
        lock (_commands) _closed = true;
        while (_commands.TryDequeue(out var command)) command();
        _scheduler.FailAll(Stopping());
        UpdateStatistics(0);
    }

    private bool Step()
    {
        var plan = _scheduler.Plan();
        if (plan is not null)
        {
            try
            {
                _scheduler.Commit(_forward.Run(plan));
                _steps++;
            }
            catch (Exception error)
            {
                _scheduler.FailRunning(new EngineException(EngineFailure.StepFailed, "The step failed: " + error.Message, error));
                if (!_backend.IsUsable) Lose(error);
            }
        }
        UpdateStatistics(plan?.Rows ?? 0);
        return plan is not null;
    }

    private void Lose(Exception error)
    {
        _stopping.Cancel();
        _lost.SetResult(error);
    }

    private void UpdateStatistics(int rows)
    {
        lock (_statisticsLock)
            _statistics = new(_scheduler.Running, _scheduler.Waiting, _pages.Retrieval.Used, _pages.Retrieval.Total,
                _scheduler.PromptTokens, _scheduler.GeneratedTokens, _steps, _scheduler.Preemptions, rows, _scheduler.Pages)
            {
                StreamingPagesUsed = _pages.Streaming?.Used ?? 0,
                PagesBusy = _scheduler.PagesBusy(KvPool.Retrieval),
                StreamingPagesBusy = _scheduler.PagesBusy(KvPool.Streaming),
                QueuedTokens = _scheduler.QueuedTokens,
            };
    }

    private Task OnIdle(Sequence sequence, Action action) => OnIdle(sequence, () =>
    {
        action();
        return true;
    });

    private Task<T?> OnIdle<T>(Sequence sequence, Func<T?> action)
    {
        var done = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var posted = Post(() =>
        {
            if (sequence.Active is not null)
            {
                done.SetException(new InvalidOperationException("The sequence has a generation in progress."));
                return;
            }
            try
            {
                done.SetResult(action());
            }
            catch (Exception problem)
            {
                done.SetException(problem);
            }
        });
        // Once the loop has ended there are no pages to change, and nobody else touches the sequence.
        return posted ? done.Task : Task.FromResult<T?>(default);
    }

    /// <summary>Gives the loop a command for its next step boundary; false once the loop has ended.</summary>
    private bool Post(Action command)
    {
        lock (_commands)
        {
            if (_closed) return false;
            _commands.Enqueue(command);
        }
        _work.Set();
        return true;
    }

    private static EngineException Stopping() => new(EngineFailure.Stopping, "The engine is stopping. Try again once it is back.");
}
