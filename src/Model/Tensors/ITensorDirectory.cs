namespace LServe.Model;

/// <summary>The tensors of an open model, by the names its format gives them.</summary>
internal interface ITensorDirectory
{
    IEnumerable<string> Names { get; }
    Tensor? Find(string name);

    /// <summary>An error that names the tensor, its file and where that file describes it.</summary>
    ModelFileException Problem(string name, string problem);
}
