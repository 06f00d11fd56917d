using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Simulation;

/// <summary>
/// Scheduler, planner and page pool without threads, driven by a seeded random client and compared with a naive model: every answer
/// must be what <see cref="FakeBackend.NextToken"/> makes of the sequence's tokens alone.
/// </summary>
internal sealed class SchedulerSimulation : IDisposable
{
    private sealed class Client(string tenant, AttentionMode mode)
    {
        public Sequence Sequence { get; } = new(tenant, mode);
        public Generation? Generation { get; set; }
        public List<int> Expected { get; } = [];
        public int Drawn { get; set; }
    }

    private const int Vocabulary = 94;

    private readonly Random _random;
    private readonly ModelFile _model;
    private readonly TemporaryFile _file;
    private readonly FakeBackend _backend;
    private readonly LlamaForward _forward;
    private readonly PageAllocator _pages;
    private readonly PageTransfer _transfer;
    private readonly Scheduler _scheduler;
    private readonly EngineOptions _options;
    private readonly List<Client> _clients = [];

    public SchedulerSimulation(int seed)
    {
        _random = new Random(seed);
        _file = new TemporaryFile(TinyModel.Bytes());
        _model = ModelFile.Open(_file.Path);
        var uniform = _random.Next(2) == 0;
        _backend = new FakeBackend(uniform);
        var prefillRows = _random.Next(1, 200);
        _options = EngineLimits.Resolve(new()
        {
            ContextLength = 400,
            KvTokens = 64 * _random.Next(7, 14),
            MaxBatch = _random.Next(1, 6),
            PrefillRows = prefillRows,
            PrefillRowsBesideDecode = _random.Next(1, prefillRows + 1),
            EventBuffer = _random.Next(4, 20),
            LServe = _random.Next(3) == 0 ? null : Sparse(),
            Pattern = _random.Next(3) == 0 ? null : Pattern(),
        }, _model.Config);
        var geometry = EngineLimits.GeometryOf(_options, _model.Config);
        _backend.AllocateKv(geometry);
        _forward = new(_backend, _model.Config, _model.Weights, EngineLimits.MaxRows(_options));
        _pages = new(geometry);
        _transfer = new(_backend, geometry, _pages);
        _scheduler = new(_model.Config, _options, uniform, _model.Tokenizer.EndTokens, _pages, () => Ended++);
        for (var i = 0; i < _random.Next(2, 12); i++) _clients.Add(new("tenant" + _random.Next(3), Mode()));
    }

    private AttentionMode Mode() => _options.LServe is null || _random.Next(3) == 0 ? AttentionMode.Dense : AttentionMode.LServe;

    private LServeOptions Sparse() => new()
    {
        Sink = _random.Next(0, 130), Local = _random.Next(1, 150), Renewal = _random.Next(1, 65), PrefillThreshold = _random.Next(64, 300),
        Budget = 192, PrefillBudget = 192,
    };

    private HeadPattern Pattern() => new()
    {
        Gates = [.. Enumerable.Range(0, _model.Config.Layers).Select(_ => Enumerable.Range(0, _model.Config.KvHeads).Select(_ => _random.NextSingle()).ToArray())],
        Share = _random.NextDouble(),
    };

    public long Preemptions => _scheduler.Preemptions;
    public int Ended { get; private set; }

    public void Run(int actions)
    {
        for (var i = 0; i < actions; i++)
        {
            Act(_clients[_random.Next(_clients.Count)]);
            Step();
            CheckPools();
        }
        Finish();
    }

    private void Act(Client client)
    {
        if (client.Generation is { } running)
        {
            if (_random.Next(40) == 0) running.CancelRequested = true;
            if (_random.Next(3) > 0) Read(client);
            return;
        }
        switch (_random.Next(10))
        {
            case 0:
                _pages.Free(client.Sequence);
                break;
            case 1 when client.Sequence.Length > 0:
                _pages.Truncate(client.Sequence, _random.Next(client.Sequence.Length));
                break;
            case 2:
                SaveAndRestore(client.Sequence);
                break;
            default:
                Begin(client);
                break;
        }
    }

    private void SaveAndRestore(Sequence sequence)
    {
        var cached = sequence.CachedLength;
        if (_transfer.Export(sequence, new Dictionary<KvPageId, int>(), long.MaxValue) is not { } saved) return;
        _pages.Free(sequence);
        var import = _transfer.Begin(sequence, saved.Shape, saved.Selection.Span);
        Assert.True(import is not null && _transfer.Write(import, saved.Parts), "its own pages have just become free");
        _transfer.End(import, saved.Shape.CachedLength);
        Assert.Equal(cached, sequence.CachedLength);
    }

    private void Begin(Client client)
    {
        var room = _options.ContextLength - client.Sequence.Length - 2;
        if (room < 1)
        {
            _pages.Truncate(client.Sequence, 0);
            return;
        }
        var prompt = Enumerable.Range(0, _random.Next(1, Math.Min(room, 150) + 1)).Select(_ => _random.Next(Vocabulary)).ToArray();
        client.Expected.Clear();
        client.Expected.AddRange(client.Sequence.Tokens);
        client.Expected.AddRange(prompt);
        client.Drawn = 0;
        client.Generation = new(client.Sequence, prompt, SamplingParams.Greedy, _random.Next(1, 120), _options.EventBuffer, () => { });
        client.Sequence.Active = client.Generation;
        _scheduler.Enqueue(client.Generation);
    }

    private void Step()
    {
        if (_scheduler.Plan() is not { } plan) return;
        Assert.InRange(plan.Rows, 1, EngineLimits.MaxRows(_options));
        _scheduler.Commit(_forward.Run(plan));
    }

    private static void Read(Client client)
    {
        while (client.Generation!.TryRead(out var next))
            switch (next.Kind)
            {
                case TokenEventKind.Token:
                    Assert.Equal(FakeBackend.NextToken(client.Expected.ToArray()), next.Token);
                    client.Expected.Add(next.Token);
                    client.Drawn++;
                    break;
                case TokenEventKind.Finished:
                    Assert.Equal(client.Expected, client.Sequence.Tokens.ToArray());
                    Assert.True(next.Cause == StopCause.Cancelled || client.Drawn == client.Generation.MaxTokens || client.Sequence.Length == 400);
                    client.Generation = null;
                    return;
                case TokenEventKind.Failed:
                    throw next.Error!;
            }
    }

    /// <summary>Everybody reads to the end; the engine must come to rest, and all pages must come back.</summary>
    private void Finish()
    {
        for (var i = 0; i < 100_000 && _clients.Any(c => c.Generation is not null); i++)
        {
            Step();
            foreach (var client in _clients)
                if (client.Generation is not null)
                    Read(client);
        }
        Assert.All(_clients, c => Assert.Null(c.Generation));
        foreach (var client in _clients) _pages.Free(client.Sequence);
        CheckPools();
        Assert.Equal(0, _pages.Retrieval.Used + (_pages.Streaming?.Used ?? 0));
    }

    private void CheckPools()
    {
        _pages.Retrieval.CheckIntegrity();
        Assert.Equal(_pages.Retrieval.Used, _clients.Sum(c => c.Sequence.Pages.Retrieval.Length));
        _pages.Streaming?.CheckIntegrity();
        Assert.Equal(_pages.Streaming?.Used ?? 0, _clients.Sum(c => c.Sequence.Pages.HeldStreaming.Length));
    }

    public void Dispose()
    {
        _forward.Dispose();
        _model.Dispose();
        _file.Dispose();
    }
}
