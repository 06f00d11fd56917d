namespace LServe.Sessions;

/// <summary>What a host's engine is doing. Thread-safe.</summary>
public sealed class StatusReport(SessionEnvironment environment)
{
    private readonly ThroughputMeter _throughput = new(environment.Time);

    /// <param name="sessions">Sessions in this process's memory.</param>
    public HostStatus Read(int sessions)
    {
        var engine = environment.Engine;
        var s = engine.Statistics;
        return new(
            environment.ModelName, environment.Template is not null, environment.TemplateProblem, engine.Options.ContextLength,
            Ready: true, Problem: null, engine.Backend.Name, sessions, s.Running, s.Waiting, s.PagesUsed, s.PagesTotal,
            s.PromptTokens, s.GeneratedTokens, s.Steps, _throughput.Read(s.GeneratedTokens))
        {
            PagesRead = s.Pages.Read,
            PagesHeld = s.Pages.Held,
            Attention = environment.Attention.ToKind(),
        };
    }
}
