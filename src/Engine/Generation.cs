using System.Threading.Channels;

namespace LServe.Inference;

/// <summary>
/// One turn's work on a sequence: its prompt, how to draw tokens, and the channel that carries events to the reader. One reader.
/// </summary>
public sealed class Generation
{
    private readonly Channel<TokenEvent> _events;
    private readonly Action _wake;
    private readonly int _pauseAt;
    private volatile bool _paused;

    internal Generation(Sequence sequence, int[] prompt, SamplingParams sampling, int maxTokens, int eventBuffer, Action wake)
    {
        (Sequence, Prompt, Sampling, MaxTokens, _wake, _pauseAt) = (sequence, prompt, sampling, maxTokens, wake, eventBuffer);
        // Two places beyond the pause mark: the event that is on its way when the mark is reached, and the last one.
        _events = Channel.CreateBounded<TokenEvent>(new BoundedChannelOptions(eventBuffer + 2) { SingleReader = true, SingleWriter = true });
    }

    public Sequence Sequence { get; }
    public SamplingParams Sampling { get; }

    /// <summary>Tokens of the context before the answer.</summary>
    public int PromptLength { get; private set; }

    /// <summary>Of these, tokens that were cached when the turn began.</summary>
    public int CachedAtStart { get; private set; }

    /// <summary>Tokens drawn so far, an end token included.</summary>
    public int Generated { get; internal set; }

    /// <summary>Pages read in this turn's decode steps so far.</summary>
    public PageReads Pages { get; internal set; }

    internal int[] Prompt { get; }
    internal int MaxTokens { get; }
    internal bool CancelRequested { get; set; }

    /// <summary>Order of admission; the latest is preempted first.</summary>
    internal long Ticket { get; set; }

    /// <summary>Counts of tokens drawn in this turn, for the penalties that need them.</summary>
    internal Dictionary<int, int>? Counts { get; set; }

    /// <summary>The next event, or false when none is there yet (see <see cref="WaitAsync"/>).</summary>
    public bool TryRead(out TokenEvent next)
    {
        if (!_events.Reader.TryRead(out next)) return false;
        if (_paused && _events.Reader.Count <= _pauseAt / 2)
        {
            _paused = false;
            _wake();
        }
        return true;
    }

    /// <summary>Waits for an event; false after the last one was read.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellation = default) => _events.Reader.WaitToReadAsync(cancellation);

    /// <summary>Whether the reader is too far behind for another step; it resumes when half is read.</summary>
    internal bool IsPaused => _paused || (_events.Reader.Count >= _pauseAt && (_paused = true));

    internal void Begin()
    {
        CachedAtStart = Sequence.CachedLength;
        Sequence.BeginPrompt();
        Sequence.Append(Prompt);
        PromptLength = Sequence.Length;
    }

    internal void Publish(TokenEvent next)
    {
        if (!_events.Writer.TryWrite(next)) throw new InvalidOperationException("The event channel is full; the scheduler must pause before.");
    }

    /// <summary>Progress is told only while there is room for it; the answer's events matter more.</summary>
    internal void PublishProgress(int done, int total)
    {
        if (_events.Reader.Count < _pauseAt) _events.Writer.TryWrite(TokenEvent.OfProgress(done, total));
    }

    internal void Complete(TokenEvent last)
    {
        Publish(last);
        _events.Writer.Complete();
    }
}
