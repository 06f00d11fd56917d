using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// Logits of a dense pass (f16 KV) over texts, at every position from the prompt's last on, in a file as float16. Each row's greatest
/// is 0 there, so that those that matter are fine enough. Written once, aside, then renamed, and used by all settings.
/// </summary>
internal sealed class DenseLogits : IDisposable
{
    private readonly FileStream _file;
    private readonly int _vocabulary, _positions;
    private readonly Half[] _row;

    private DenseLogits(string path, int vocabulary, int positions)
    {
        (_file, _vocabulary, _positions, _row) = (File.OpenRead(path), vocabulary, positions, new Half[vocabulary]);
    }

    /// <param name="prompt">Tokens: the first row is the prediction of token <paramref name="prompt"/>.</param>
    public static DenseLogits OpenOrMake(ModelFile model, TextSet texts, int prompt, EvalOptions options, IProgress<float> progress)
    {
        var positions = texts.Tokens[0].Length - prompt;
        var path = Path.Combine(options.Cache, $"dense-{options.Backend}-{Path.GetFileNameWithoutExtension(model.Path)}-{texts.Hash()}-{prompt}.f16");
        if (!File.Exists(path)) Make(model, texts, prompt, options, path, progress);
        return new(path, model.Config.VocabularySize, positions);
    }

    /// <summary>Logits that predict token prompt + <paramref name="position"/> of a text.</summary>
    public void Read(int text, int position, Span<float> logits)
    {
        var bytes = MemoryMarshal.AsBytes(_row.AsSpan());
        _file.Position = ((long)text * _positions + position) * bytes.Length;
        _file.ReadExactly(bytes);
        TensorPrimitives.ConvertToSingle(_row, logits);
    }

    private static void Make(ModelFile model, TextSet texts, int prompt, EvalOptions options, string path, IProgress<float> progress)
    {
        Directory.CreateDirectory(options.Cache);
        using (var file = File.Create(path + ".part"))
        {
            var length = texts.Tokens[0].Length;
            using var run = new ModelRun(model, SettingList.Dense, null, 1, length, options);
            var (shifted, halves) = (new float[run.Vocabulary], new Half[run.Vocabulary]);
            for (var text = 0; text < texts.Tokens.Length; text++)
            {
                var (done, at) = ((float)text, 0);
                run.Restart(0);
                run.Prefill(0, texts.Tokens[text].AsSpan(0, prompt - 1));
                run.Prefill(0, texts.Tokens[text].AsSpan(prompt - 1, length - prompt), logits =>
                {
                    for (; !logits.IsEmpty; logits = logits[run.Vocabulary..], at++)
                    {
                        var row = logits[..run.Vocabulary];
                        TensorPrimitives.Subtract(row, TensorPrimitives.Max(row), shifted);
                        TensorPrimitives.ConvertToHalf(shifted, halves);
                        file.Write(MemoryMarshal.AsBytes(halves.AsSpan()));
                    }
                    progress.Report((done + (float)at / (length - prompt)) / texts.Tokens.Length);
                });
            }
        }
        File.Move(path + ".part", path);
    }

    public void Dispose() => _file.Dispose();
}
