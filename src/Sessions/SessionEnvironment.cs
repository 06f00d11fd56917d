using LServe.Inference;
using LServe.Model;

namespace LServe.Sessions;

/// <summary>What all sessions of a host share.</summary>
/// <param name="Store">Where sessions are kept.</param>
/// <param name="Time">The clock; tests bring their own.</param>
public sealed record SessionEnvironment(
    string ModelName, Engine Engine, ITokenizer Tokenizer, ChatTemplate? Template, string? TemplateProblem, ISessionStore Store, TimeProvider Time)
{
    /// <summary>Where their KV caches are kept; null: nowhere, so that a session that comes back is computed again.</summary>
    public IKvPageStore? Pages { get; init; }

    /// <summary>What this process counts of them, for its reports.</summary>
    public SiloActivity Activity { get; init; } = new(Time);

    /// <summary>Whether the stores are the same ones on every silo of a cluster, so that a session may go on anywhere.</summary>
    public bool SharedStores { get; init; }

    public SessionLimits Limits { get; init; } = new();

    /// <summary>Tokens of an answer after which it is noted how far it is; 0: it isn't.</summary>
    public int CheckpointEvery { get; init; }

    public SessionStores Stores => new(Store, Pages, Time);

    /// <summary>How sessions attend that have no turn yet; those that have keep their own.</summary>
    public AttentionMode Attention { get; init; }

    /// <summary>What this host's turns are made with.</summary>
    public SessionFingerprint? Fingerprint { get; init; }

    public static SessionEnvironment For(ModelFile model, Engine engine, ISessionStore store, TimeProvider? time = null) =>
        new(model.Config.Name, engine, model.Tokenizer, model.Template, model.TemplateProblem, store, time ?? TimeProvider.System)
        {
            Fingerprint = new(ContentFingerprint.Of(model, engine), engine.Backend.Arithmetic),
        };
}

/// <summary>Bounds of a host's sessions.</summary>
public sealed record SessionLimits
{
    /// <summary>Turns: most that wait in one session's mailbox beside the running one; past it the answer is 429. Default 8.</summary>
    public int MaxWaitingTurns { get; init; } = 8;

    /// <summary>Messages of one request. Default 4096.</summary>
    public int MaxMessages { get; init; } = 4096;
}
