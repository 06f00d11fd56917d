using LServe.Cpu;
using LServe.Embedded;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>The embedded host on a backend without arithmetic.</summary>
public class EmbeddedFixture : SessionHostFixture
{
    private readonly EmbeddedOptions _options = new();
    private readonly ManualTime _time = new();
    private EmbeddedSessionHost? _host;

    public override ISessionHost Host => _host!;

    public override Task InitializeAsync()
    {
        _host = new(CreateEnvironment(_time), _options);
        return Task.CompletedTask;
    }

    /// <summary>The time of day goes back.</summary>
    public void SetClockBack(TimeSpan by) => _time.SetBack(by);

    public override Task EvictIdleAsync()
    {
        _time.Advance(_options.IdleTimeout);
        return Task.CompletedTask;
    }

    public override Task PassTimeAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return Task.CompletedTask;
    }

    protected override async Task StopAsync() => await _host!.DisposeAsync();
}

/// <summary>The embedded host on the scalar reference, so that numbers take part.</summary>
public sealed class EmbeddedCpuFixture : EmbeddedFixture
{
    protected override IBackend CreateBackend() => new CpuReferenceBackend(threads: 1);
}
